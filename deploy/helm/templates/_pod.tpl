{{/* The pod of both modes. */}}
{{- define "nbsweep.pod" -}}
metadata:
  labels:
    {{- include "nbsweep.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A changed configuration starts the pod anew.
    checksum/config: {{ .Values.configuration | toYaml | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "nbsweep.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: {{ ternary "Always" "Never" (eq .Values.mode "service") }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    {{- include "nbsweep.container" . | nindent 4 }}
  volumes:
    {{- include "nbsweep.volumes" . | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "nbsweep.container" -}}
- name: nbsweep
  image: {{ include "nbsweep.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- if .worker }}
  args: [worker, --listen, "0.0.0.0:9465"]
  {{- else if include "nbsweep.service" . }}
  args: [serve]
  {{- else if eq .Values.configuration.mode "enforce" }}
  args: [run, --yes, --format, json]
  {{- else }}
  args: [run, --dry-run, --format, json]
  {{- end }}
  env:
    {{- include "nbsweep.environment" . | nindent 4 }}
  {{- if include "nbsweep.service" . }}
  ports:
    - {name: http, containerPort: {{ ternary 9465 9464 (not (not .worker)) }}}
  {{- include "nbsweep.probes" . | nindent 2 }}
  {{- end }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
  volumeMounts:
    - {name: config, mountPath: /etc/nbsweep, readOnly: true}
    - {name: secret, mountPath: /run/secrets/nbsweep, readOnly: true}
    {{- if include "nbsweep.sqlite" . }}
    - {name: journal, mountPath: /var/lib/nbsweep}
    {{- end }}
    {{- if .Values.certificateAuthority.existingConfigMap }}
    - {name: authority, mountPath: /etc/nbsweep-authority, readOnly: true}
    {{- end }}
    - {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "nbsweep.environment" -}}
{{- range $variable, $key := .Values.existingSecret.environment }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: {{ $.Values.existingSecret.name }}, key: {{ $key }}}
{{- end }}
{{- range $variable, $value := .Values.environment }}
- {name: {{ $variable }}, value: {{ $value | quote }}}
{{- end }}
{{- if .Values.certificateAuthority.existingConfigMap }}
- {name: SSL_CERT_FILE, value: {{ printf "/etc/nbsweep-authority/%s" .Values.certificateAuthority.key | quote }}}
{{- end }}
{{- end -}}

{{- define "nbsweep.volumes" -}}
- name: config
  configMap: {name: {{ include "nbsweep.fullname" . }}}
- name: secret
  secret:
    secretName: {{ .Values.existingSecret.name }}
    defaultMode: 0440
    items:
      {{- range $file, $key := .Values.existingSecret.files }}
      - {key: {{ $key }}, path: {{ $file }}}
      {{- end }}
      {{- if include "nbsweep.service" . }}
      - {key: {{ .Values.existingSecret.apiTokenKey }}, path: api_token}
      {{- end }}
{{- if include "nbsweep.sqlite" . }}
- name: journal
  persistentVolumeClaim: {claimName: {{ include "nbsweep.claimName" . }}}
{{- end }}
{{- if .Values.certificateAuthority.existingConfigMap }}
- name: authority
  configMap:
    name: {{ .Values.certificateAuthority.existingConfigMap }}
    items:
      - {key: {{ .Values.certificateAuthority.key }}, path: {{ .Values.certificateAuthority.key }}}
{{- end }}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 16Mi}
{{- end -}}

{{- define "nbsweep.probes" -}}
# /healthz answers without the token. Two minutes for the journal's migrations.
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  failureThreshold: 24
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
{{- if .worker }}
# Ready while it takes accounts and the journal has its report; needs no token.
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
{{- else }}
# /readyz wants the token, and a probe over HTTP could not keep it secret.
readinessProbe:
  exec:
    command:
      - python
      - -c
      - |
        import http.client, pathlib
        token = pathlib.Path("/run/secrets/nbsweep/api_token").read_text().strip()
        asked = http.client.HTTPConnection("127.0.0.1", 9464, timeout=4)
        asked.request("GET", "/readyz", headers={"Authorization": f"Bearer {token}"})
        raise SystemExit(asked.getresponse().status != 200)
  periodSeconds: 30
  timeoutSeconds: 5
{{- end }}
{{- end -}}
