"""Train a sparse autoencoder on your images: `python train_sae.py --config medical.yaml [key=value ...]`."""

from latentdiff.cli import train_command

if __name__ == "__main__":
    train_command()
