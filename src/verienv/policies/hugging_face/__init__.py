"""A Hugging Face model as a policy. Its modules import torch and transformers: others import them in functions."""
