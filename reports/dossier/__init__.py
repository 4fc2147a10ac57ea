"""The dossier of one case: from the ruling to the receipt, each statement with what it rests on."""
