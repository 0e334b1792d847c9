"""Compare two sets of images: `python compare.py --a X --b Y [--sae PATH] [--out DIR] [key=value ...]`."""

from latentdiff.cli import compare_command

if __name__ == "__main__":
    compare_command()
