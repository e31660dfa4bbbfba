"""The command line: arguments in, a report's face out."""
