mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context      = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  repositories = ["chat-backend", "chat-web"]
  keep         = 10
  protected    = true
  kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "immutable_scanned_encrypted" {
  command = plan

  assert {
    condition = alltrue([
      for repository in aws_ecr_repository.this :
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && repository.encryption_configuration[0].encryption_type == "KMS"
    ])
    error_message = "A tag is set once, each push is scanned, images are encrypted with the key."
  }

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : !repository.force_delete])
    error_message = "A protected repository with images in it stays."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["chat-web"].policy).rules[1].selection.countNumber == 10
    error_message = "The newest ten are kept."
  }
}

run "too_few_for_a_way_back" {
  command = plan

  variables {
    keep = 2
  }

  expect_failures = [var.keep]
}

run "a_name_with_capitals" {
  command = plan

  variables {
    repositories = ["Chat"]
  }

  expect_failures = [var.repositories]
}
