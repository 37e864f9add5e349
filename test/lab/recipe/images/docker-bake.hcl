# The images under their official names. The mirror stands in for Docker Hub: `docker pull odoo:19` finds them in a lab host.
variable "MIRROR" { default = "10.77.0.2:5000" }
variable "TRAEFIK" { default = "3.7.15" }

group "default" {
  targets = ["odoo", "postgres", "redis", "traefik", "prometheus", "node-exporter", "blackbox-exporter", "postgres-exporter", "redis-exporter", "restic"]
}
target "base" {
  context = "."
  network = "host"
}
target "odoo" {
  inherits = ["base"]
  target = "odoo"
  tags = ["${MIRROR}/library/odoo:19", "${MIRROR}/library/odoo:19.0"]
}
target "postgres" {
  inherits = ["base"]
  target = "postgres"
  tags = ["${MIRROR}/library/postgres:18"]
}
target "redis" {
  inherits = ["base"]
  target = "redis"
  tags = ["${MIRROR}/library/redis:8"]
}
target "traefik" {
  inherits = ["base"]
  target = "traefik"
  tags = ["${MIRROR}/library/traefik:v3.7", "${MIRROR}/library/traefik:v${TRAEFIK}"]
}
target "prometheus" {
  inherits = ["base"]
  target = "prometheus"
  tags = ["${MIRROR}/prom/prometheus:v3.5.3"]
}
target "node-exporter" {
  inherits = ["base"]
  target = "node-exporter"
  tags = ["${MIRROR}/prom/node-exporter:v1.11.1"]
}
target "blackbox-exporter" {
  inherits = ["base"]
  target = "blackbox-exporter"
  tags = ["${MIRROR}/prom/blackbox-exporter:v0.28.0"]
}
target "postgres-exporter" {
  inherits = ["base"]
  target = "postgres-exporter"
  tags = ["${MIRROR}/prometheuscommunity/postgres-exporter:v0.19.1"]
}
target "redis-exporter" {
  inherits = ["base"]
  target = "redis-exporter"
  tags = ["${MIRROR}/oliver006/redis_exporter:v1.86.0"]
}
target "restic" {
  inherits = ["base"]
  target = "restic"
  tags = ["${MIRROR}/restic/restic:0.19.1"]
}
