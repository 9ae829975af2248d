"""Plans of Terraform: read, summed up, priced, and approved by their digest. Read `plan.py` first."""
