mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name          = "chat-dev-files"
  partition     = "aws"
  kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  force_destroy = false
}

run "private_encrypted_versioned" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Nothing of it is public."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "Encrypted with the key."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "Versioned."
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 0 && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0
    error_message = "No log and no end where nobody asks for them."
  }
}

run "logged_and_expiring" {
  command = plan

  variables {
    log_bucket  = { name = "chat-dev-logs" }
    expire_days = 30
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "chat-dev-logs" && aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 30
    error_message = "Logs go to the bucket that is named; objects go after their time."
  }
}

run "a_name_that_s3_refuses" {
  command = plan

  variables {
    name = "Chat_Files"
  }

  expect_failures = [var.name]
}
