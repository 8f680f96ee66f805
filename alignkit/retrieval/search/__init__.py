"""Nearest rows of a gallery: flat and exact, by FAISS, and as the runs other tools read."""
