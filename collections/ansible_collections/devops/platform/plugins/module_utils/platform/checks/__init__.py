"""What a schema cannot say: each check compares one thing of platform.yml with another, the inventory, or the locks."""
