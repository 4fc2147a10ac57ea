"""Fingerprints: a digest as people compare it, in hexadecimal digits or in words to be read out on a telephone."""

from shamir_mnemonic.wordlist import WORDLIST

WORDS = 13
"""Of ten bits each: 130 bits, enough that nobody finds another document with the same words."""
_BITS = 10
_DIGEST_BITS = 256


def in_words(digest: str) -> str:
    """The first 130 bits of a digest in words of SLIP-39's list."""
    number = int(digest, 16)
    shifts = range(_DIGEST_BITS - _BITS, _DIGEST_BITS - _BITS * (WORDS + 1), -_BITS)
    return " ".join(WORDLIST[number >> shift & (1 << _BITS) - 1] for shift in shifts)


def matches(told: str, digest: str) -> bool:
    """Whether this digest was told: all of its hexadecimal digits, or all of its words; blanks and case are free."""
    words = told.lower().split()
    return "".join(words) == digest or words == in_words(digest).split()
