"""A finished tagger fitted to a few tagged sentences of one's own: read, cross-validated, trained, saved as a LoRA adapter."""
