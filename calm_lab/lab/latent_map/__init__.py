"""A map of the latent space: every different chunk of a corpus as a point, by UMAP and by PCA.

``store`` holds a map and reads and writes it, ``chunks`` says what is on it, ``fit`` makes the two pictures and says
how far to trust them, ``place`` puts new points on it and decodes between points, ``walk`` goes from one vector to
another, ``cloud`` shows the draws of a head, ``cluster`` groups chunks and finds their typical words, ``again``
computes UMAP in a process of its own, ``make`` makes the bundled maps.

App tab: Latent map. Notebook: 04.
"""
