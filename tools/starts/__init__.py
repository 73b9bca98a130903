"""Small starts for studies of post-training: their tokenizer, their data, their training, and how they are judged."""
