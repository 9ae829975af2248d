# Made by terraform/bootstrap. S3 locks the state by a file beside it: no table, no second service.
bucket       = "chat-terraform-state"
key          = "prod/terraform.tfstate"
region       = "eu-central-1"
kms_key_id   = "alias/chat-terraform-state"
encrypt      = true
use_lockfile = true
