output "endpoint" {
  description = "The cluster, as inventories want it."
  value = {
    kind = "eks"
    host = replace(aws_eks_cluster.this.endpoint, "https://", "")
    port = 443
    arn  = aws_eks_cluster.this.arn
    id   = aws_eks_cluster.this.name
  }
}
