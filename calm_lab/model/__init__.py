"""Floor 2: what is trained: configs, autoencoder, backbone, heads, CALM, the token baseline, checkpoints."""
