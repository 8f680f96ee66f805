"""What the explorer shows, without the web: artifacts, pictures of spaces, ranks, media, votes."""
