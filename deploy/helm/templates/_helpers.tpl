{{/* The name of every object. A CronJob's name may have 52 characters. */}}
{{- define "nbsweep.fullname" -}}
{{- $default := ternary .Release.Name (printf "%s-nbsweep" .Release.Name) (contains "nbsweep" .Release.Name) -}}
{{- .Values.fullnameOverride | default $default | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "nbsweep.selectorLabels" -}}
app.kubernetes.io/name: nbsweep
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Workers have another name, so that the selectors of the service do not find them. */}}
{{- define "nbsweep.workerSelectorLabels" -}}
app.kubernetes.io/name: nbsweep-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "nbsweep.labels" -}}
{{ if .worker }}{{ include "nbsweep.workerSelectorLabels" . }}
app.kubernetes.io/part-of: nbsweep
{{- else }}{{ include "nbsweep.selectorLabels" . }}
{{- end }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "nbsweep.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "nbsweep.serviceAccountName" -}}
{{ .Values.serviceAccount.existingName | default (include "nbsweep.fullname" .) }}
{{- end -}}

{{- define "nbsweep.claimName" -}}
{{ .Values.persistence.existingClaim | default (include "nbsweep.fullname" .) }}
{{- end -}}

{{/* "true" if the journal is an SQLite file, which needs the volume. */}}
{{- define "nbsweep.sqlite" -}}
{{- if hasPrefix "sqlite:" .Values.configuration.journal }}true{{ end -}}
{{- end -}}

{{/* "true" for mode service, which has the API and the metrics. */}}
{{- define "nbsweep.service" -}}
{{- if eq .Values.mode "service" }}true{{ end -}}
{{- end -}}
