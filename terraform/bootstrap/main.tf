# What must be there before an environment can be: the bucket of states, and its key. Applied once, by hand, with its own
# state beside it; that holds nothing secret, and a lost one is imported anew.

provider "aws" {
  region = var.region

  default_tags {
    tags = { Platform = var.bucket, ManagedBy = "terraform" }
  }
}

data "aws_partition" "this" {}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:In a key policy "*" is the key itself, and the account must be able to manage it
  #checkov:skip=CKV_AWS_111:In a key policy "*" is the key itself
  #checkov:skip=CKV_AWS_356:In a key policy "*" is the key itself
  statement {
    sid       = "KeyIsTheAccounts"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
    }
  }
}

resource "aws_kms_key" "state" {
  description             = "States of Terraform"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "state" {
  name          = "alias/${var.bucket}"
  target_key_id = aws_kms_key.state.key_id
}

module "bucket" {
  source = "../modules/bucket"

  name          = var.bucket
  partition     = data.aws_partition.this.partition
  kms_key_arn   = aws_kms_key.state.arn
  force_destroy = false
}
