#!/bin/sh
# Creates our namespace and its typed search attributes. Safe to repeat.
set -eu
# Runs the command given until it succeeds: the server comes up, a fresh namespace becomes known.
patiently() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "abandoned after $tries tries: $*" >&2; exit 1; }
    sleep 1
  done
}
patiently temporal operator cluster health --address "$TEMPORAL_ADDRESS"
temporal operator namespace describe --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" \
    --retention "$RETENTION" --description "Repayment of installments"
patiently temporal operator search-attribute list --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE"
listed=$(temporal operator search-attribute list --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE")
for pair in TenantId:Keyword Kind:Keyword Key:Keyword LoanId:Keyword State:Keyword Rail:Keyword \
  Code:Keyword Owner:Keyword NeedsOperator:Bool DueDate:Datetime Number:Int AttemptNo:Int; do
  name=${pair%%:*}
  echo "$listed" | grep -qw "$name" ||
    temporal operator search-attribute create --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" \
      --name "$name" --type "${pair##*:}"
done
