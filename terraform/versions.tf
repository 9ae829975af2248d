terraform {
  # S3 locks the state itself from 1.11 on.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  # environments/ENVIRONMENT/backend.hcl has the rest.
  backend "s3" {}
}
