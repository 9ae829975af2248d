mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context           = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  database          = "chat"
  multi_az          = true
  backup_days       = 7
  replicas          = 1
  security_group_id = "sg-0d"
  log_days          = 30
  protected         = true
  subnet_ids        = { eu-central-1a = "subnet-0a", eu-central-1b = "subnet-0b" }
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "encrypted_and_unreachable" {
  command = plan

  assert {
    condition     = aws_db_instance.this.engine == "postgres" && aws_db_instance.this.engine_version == "15" && aws_db_instance.this.instance_class == "db.t3.medium"
    error_message = "PostgreSQL 15 on db.t3.medium where nobody says otherwise."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "Encrypted, and not reachable from outside."
  }

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "RDS makes the password: none is in the state."
  }

  assert {
    condition     = contains([for parameter in aws_db_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "Clients must use TLS."
  }
}

run "survives" {
  command = plan

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 7 && length(aws_db_instance.replica) == 1
    error_message = "A standby, seven days of backups, a replica."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups
    error_message = "A protected database goes with a last snapshot only."
  }
}

run "unprotected" {
  command = plan

  variables {
    protected = false
    replicas  = 0
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot && length(aws_db_instance.replica) == 0
    error_message = "Where nothing is protected, it can go."
  }
}

run "no_backups_are_refused" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}

run "an_old_version_is_refused" {
  command = plan

  variables {
    engine_version = "14.9"
  }

  expect_failures = [var.engine_version]
}

run "storage_that_cannot_grow" {
  command = plan

  variables {
    storage_gb     = 100
    max_storage_gb = 100
  }

  expect_failures = [var.max_storage_gb]
}
