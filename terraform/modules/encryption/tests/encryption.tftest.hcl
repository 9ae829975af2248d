mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context       = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  deletion_days = 7
  autoscaling   = true
}

run "a_key_that_rotates" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates."
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/chat-dev"
    error_message = "Policies name the key by its alias."
  }
}

run "a_window_that_aws_does_not_know" {
  command = plan

  variables {
    deletion_days = 3
  }

  expect_failures = [var.deletion_days]
}
