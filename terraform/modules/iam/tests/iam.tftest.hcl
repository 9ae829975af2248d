mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context         = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  key_alias       = "alias/chat-dev"
  transfer_bucket = "chat-dev-transfer"
}

run "no_pipeline" {
  command = plan

  assert {
    condition     = length(aws_iam_role.pipeline) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "No way in for a pipeline where none is named."
  }

  assert {
    condition     = aws_iam_role.admin.max_session_duration == 3600
    error_message = "Administrators for an hour."
  }
}

run "a_pipeline" {
  command = plan

  variables {
    pipeline = { repository = "example/platform", state_bucket = "chat-terraform-state" }
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github["pipeline"].url == "https://token.actions.githubusercontent.com"
    error_message = "It signs in with GitHub's token."
  }
}

run "any_repository_is_refused" {
  command = plan

  variables {
    pipeline = { repository = "example/*", state_bucket = "chat-terraform-state" }
  }

  expect_failures = [var.pipeline]
}
