#!/usr/bin/env bash
# Makes the certificates beside it anew, by the openssl command. Valid for a century, they need not be made per run.
# Their keys protect nothing: hosts below fault.test exist on loopback only.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

authority() {  # authority NAME SUBJECT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj "/CN=$2" \
        -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$work/$1.key" -out "$work/$1.pem"
}

leaf() {  # leaf FILE AUTHORITY NAME FROM UNTIL
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$3" -keyout "$work/leaf.key" \
        -out "$work/leaf.csr"
    printf 'subjectAltName=DNS:%s,DNS:%s\nbasicConstraints=CA:false\nextendedKeyUsage=serverAuth\n' "$3" "*.$3" \
        >"$work/leaf.ext"
    : >"$work/index.txt"
    openssl ca -batch -config <(printf '%s\n' '[ca]' 'default_ca=it' '[it]' "database=$work/index.txt" \
        "new_certs_dir=$work" 'rand_serial=yes' 'default_md=sha256' 'policy=any' '[any]' 'commonName=supplied') \
        -cert "$work/$2.pem" -keyfile "$work/$2.key" -in "$work/leaf.csr" -out "$work/leaf.pem" -notext \
        -extfile "$work/leaf.ext" -startdate "$4" -enddate "$5"
    cat "$work/leaf.key" "$work/leaf.pem" >"$1.pem"
}

authority ours "Authority of the fault tests"
authority strange "Authority nobody knows"
cp "$work/ours.pem" authority.pem
leaf good ours fault.test 20260101000000Z 21260101000000Z
leaf expired ours fault.test 20200101000000Z 20210101000000Z
leaf not_yet ours fault.test 21000101000000Z 21260101000000Z
leaf wrong_host ours somebody-else.test 20260101000000Z 21260101000000Z
leaf stranger strange fault.test 20260101000000Z 21260101000000Z
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=fault.test \
    -addext "subjectAltName=DNS:fault.test,DNS:*.fault.test" -keyout "$work/self.key" -out "$work/self.pem"
cat "$work/self.key" "$work/self.pem" >self_signed.pem
