"""Legal receipts for donors: made on the treasurer's device, where the identity was opened, and nowhere else."""
