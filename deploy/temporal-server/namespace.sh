#!/bin/sh
# Creates our namespace and its typed search attributes. Safe to repeat.
set -eu
tries=0
until temporal operator cluster health --address "$TEMPORAL_ADDRESS"; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || { echo "no healthy Temporal at $TEMPORAL_ADDRESS" >&2; exit 1; }
  sleep 2
done
temporal operator namespace describe --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" \
    --retention "$RETENTION" --description "Repayment of installments"
listed=$(temporal operator search-attribute list --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE")
for pair in TenantId:Keyword LoanId:Keyword InstallmentState:Keyword Rail:Keyword \
  FailureCode:Keyword NeedsOperator:Bool DueDate:Datetime InstallmentNo:Int AttemptNo:Int; do
  name=${pair%%:*}
  echo "$listed" | grep -qw "$name" ||
    temporal operator search-attribute create --address "$TEMPORAL_ADDRESS" -n "$NAMESPACE" \
      --name "$name" --type "${pair##*:}"
done
