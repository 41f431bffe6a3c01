{{/* What the schema cannot say in a readable sentence: values that contradict each other, and secrets in the configuration. */}}
{{- define "nbsweep.refusals" -}}
{{- $configuration := .Values.configuration -}}
{{- $journal := $configuration.journal -}}
{{- if not (or (hasPrefix "sqlite:////var/lib/nbsweep/" $journal) (hasPrefix "postgresql" $journal) (hasPrefix "${" $journal)) -}}
{{- fail "configuration.journal must be sqlite:////var/lib/nbsweep/FILE, which is on the volume, or the URL of a PostgreSQL database" -}}
{{- end -}}
{{- if regexMatch ":[^:/@${]+@" $journal -}}
{{- fail "configuration.journal holds a password: put the URL into the Secret, name its key in existingSecret.environment, and write \"${VARIABLE}\" here" -}}
{{- end -}}
{{- range $configuration.targets -}}
{{- $target := . -}}
{{- range $key := list "secret_key" "security_token" "password" -}}
{{- $secret := dig "credentials" $key "" $target -}}
{{- if and $secret (not (hasPrefix "${" (toString $secret))) -}}
{{- fail (printf "configuration.targets: credentials.%s holds a secret: use %s_file with existingSecret.files, or \"${VARIABLE}\" with existingSecret.environment" $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "nbsweep.service" . -}}
{{- $service := $configuration.service | default dict -}}
{{- if ne (toString $service.listen) "0.0.0.0:9464" -}}
{{- fail "configuration.service.listen must be 0.0.0.0:9464: the probes and the Service ask there" -}}
{{- end -}}
{{- if ne (toString $service.api_token_file) "/run/secrets/nbsweep/api_token" -}}
{{- fail "configuration.service.api_token_file must be /run/secrets/nbsweep/api_token, where the chart mounts the token" -}}
{{- end -}}
{{- if and .Values.fleet.enabled (not $service.fleet) -}}
{{- fail "fleet.enabled needs configuration.service.fleet: true" -}}
{{- end -}}
{{- if and $service.fleet (not .Values.fleet.enabled) -}}
{{- fail "configuration.service.fleet needs fleet.enabled: without workers nothing is swept" -}}
{{- end -}}
{{- if and .Values.fleet.enabled (hasPrefix "sqlite:" $journal) -}}
{{- fail "fleet.enabled needs a journal on PostgreSQL: configuration.journal: \"${JOURNAL}\", with JOURNAL in existingSecret.environment" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not (and .Values.ingress.host .Values.ingress.tlsSecret)) -}}
{{- fail "ingress.enabled needs ingress.host and ingress.tlsSecret: people sign in there, and their browsers keep the session for HTTPS only" -}}
{{- end -}}
{{- else if .Values.fleet.enabled -}}
{{- fail "fleet.enabled needs mode service: a CronJob sweeps by itself" -}}
{{- else if .Values.serviceMonitor.enabled -}}
{{- fail "serviceMonitor.enabled needs mode service: a CronJob has no metrics" -}}
{{- else if .Values.ingress.enabled -}}
{{- fail "ingress.enabled needs mode service: a CronJob has no pages" -}}
{{- end -}}
{{- end -}}
