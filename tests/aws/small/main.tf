# A part of an environment, which is made in seconds: for tests of the playbook, and of what goes wrong.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6.0"
    }
  }

  backend "s3" {}
}

variable "platform" {
  type = string
}

variable "environment" {
  type = string
}

variable "protected" {
  type = bool
}

variable "token" {
  type      = string
  sensitive = true
}

provider "aws" {
  region = "eu-central-1"

  # Twenty-five by itself, each longer than the one before.
  max_retries = 3
}

locals {
  context = {
    name        = "${var.platform}-${var.environment}"
    environment = var.environment
    account_id  = "123456789012"
    region      = "eu-central-1"
    partition   = "aws"
  }
}

module "encryption" {
  source = "../../../terraform/modules/encryption"

  context       = local.context
  deletion_days = 7
  autoscaling   = false
}

module "registry" {
  source = "../../../terraform/modules/registry"

  context      = local.context
  repositories = ["chat-backend", "chat-web"]
  keep         = 10
  kms_key_arn  = module.encryption.key_arn
  protected    = var.protected
}

# What is marked as sensitive must be in no summary and in no diff.
resource "terraform_data" "token" {
  input = { name = "token", value = var.token }
}

output "hosts" {
  value = {}
}

output "repositories" {
  value = module.registry.repositories
}
