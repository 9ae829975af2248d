# Entries without values: values are written by the rotation of secrets, and are never in the state.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Rotated by a function where one is named, else by playbooks/rotate_secrets.yml; the tag says when
  for_each = var.entries

  name                    = "${var.context.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days

  tags = { RotateAfterDays = tostring(var.rotation_days) }
}

resource "aws_secretsmanager_secret_rotation" "this" {
  #checkov:skip=CKV_AWS_304:The variable takes 90 days at most; the check does not read that
  for_each = var.rotation_function == null ? {} : var.entries

  secret_id           = aws_secretsmanager_secret.this[each.key].id
  rotation_lambda_arn = var.rotation_function

  rotation_rules {
    automatically_after_days = var.rotation_days
  }
}
