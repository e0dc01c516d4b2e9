"""The data directory: where literals, uploads and logs lie, and the HTTP server that gives them out."""
