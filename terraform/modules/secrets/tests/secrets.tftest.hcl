mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context       = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  entries       = { chat_database = "Password of the chat's database user" }
  recovery_days = 30
  kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "entries_without_values" {
  command = plan

  assert {
    condition     = aws_secretsmanager_secret.this["chat_database"].name == "chat-dev/chat_database" && aws_secretsmanager_secret.this["chat_database"].tags["RotateAfterDays"] == "90"
    error_message = "An entry that says when it is rotated."
  }

  assert {
    condition     = length(aws_secretsmanager_secret_rotation.this) == 0
    error_message = "No function rotates where none is named."
  }
}

run "rotated_by_a_function" {
  command = plan

  variables {
    rotation_function = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
  }

  assert {
    condition     = aws_secretsmanager_secret_rotation.this["chat_database"].rotation_rules[0].automatically_after_days == 90
    error_message = "Every 90 days."
  }
}

run "rarely_rotated_is_refused" {
  command = plan

  variables {
    rotation_days = 365
  }

  expect_failures = [var.rotation_days]
}
