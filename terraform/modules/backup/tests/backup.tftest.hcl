mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context     = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  keep_days   = 35
  protected   = true
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "daily_and_locked" {
  command = plan

  assert {
    condition     = one(one(aws_backup_plan.this.rule).lifecycle).delete_after == 35 && length(aws_backup_vault_lock_configuration.this) == 1
    error_message = "Kept for 35 days, and not to be deleted before."
  }
}

run "copied_to_another_region" {
  command = plan

  variables {
    copy_vault_arn = "arn:aws:backup:eu-west-1:123456789012:backup-vault:chat-prod"
    protected      = false
  }

  assert {
    condition     = length(one(aws_backup_plan.this.rule).copy_action) == 1 && length(aws_backup_vault_lock_configuration.this) == 0
    error_message = "Each copy has a copy; an unprotected vault can go."
  }
}

run "two_days_are_refused" {
  command = plan

  variables {
    keep_days = 2
  }

  expect_failures = [var.keep_days]
}
