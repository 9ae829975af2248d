# Made by terraform/bootstrap. S3 locks the state by a file beside it: no table, no second service.
bucket       = "chat-terraform-state"
key          = "small/prod/terraform.tfstate"
region       = "eu-central-1"
encrypt      = true
use_lockfile = true
