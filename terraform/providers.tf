locals {
  name = "${var.platform}-${var.environment}"

  tags = merge(var.tags, {
    Platform    = local.name
    Environment = var.environment
    ManagedBy   = "terraform"
  })

  context = {
    name        = local.name
    environment = var.environment
    account_id  = data.aws_caller_identity.this.account_id
    region      = var.region
    partition   = data.aws_partition.this.partition
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = local.tags
  }
}

# CloudFront takes its certificate and its firewall from there only.
provider "aws" {
  alias               = "global"
  region              = "us-east-1"
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}
