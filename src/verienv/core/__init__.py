"""What every task shares and no task is known to."""
