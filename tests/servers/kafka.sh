#!/usr/bin/env bash
# A real Kafka broker for tests on 127.0.0.1: one KRaft node from the published jars.
#
#   kafka.sh install                            puts the jars into the cache (needs Java 17 and Maven)
#   kafka.sh run FOLDER PORT CONTROLLER_PORT SASL_PORT
#                                               runs it in the foreground, with its data in FOLDER; SASL_PORT has TLS
#                                               (CA certificate: FOLDER/ca.pem) and sign-in: PLAIN, SCRAM-SHA-256,
#                                               SCRAM-SHA-512, user `surgecast`, password `right`
#
# SURGECAST_CACHE names the cache (default ~/.cache/surgecast), KAFKA_VERSION the release.
set -euo pipefail
version=${KAFKA_VERSION:-4.3.1}
cache=${SURGECAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/surgecast}/kafka
jars=$cache/jars-$version

install() {
  [[ -e $jars/complete ]] && return
  local build=$cache/build
  rm -rf "$jars" "$build"
  mkdir -p "$jars" "$build"
  # kafka-tools formats the data folder. Its dependencies on Kafka Connect are not needed for this.
  cat >"$build/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>surgecast</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-transforms</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
  (cd "$build" && mvn --batch-mode --quiet dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$jars" -Daether.connector.basic.threads=8)
  rm -rf "$build"
  touch "$jars/complete"
}

run() {
  local folder=$1 port=$2 controller=$3 sasl=$4
  [[ -e $jars/complete ]] || { echo "no Kafka in $jars: run $0 install" >&2; exit 1; }
  mkdir -p "$folder"
  cat >"$folder/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,SASL_SSL://127.0.0.1:$sasl,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_SSL://127.0.0.1:$sasl
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_surgecast="right";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location=$folder/broker.p12
ssl.keystore.password=for-tests-only
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.hours=-1
CONF
  local logging=(-Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.defaultLogLevel=info)
  if [[ ! -e $folder/data/meta.properties ]]; then
    # The cluster id is 16 arbitrary bytes in URL-safe base64.
    keytool -genkeypair -alias broker -keyalg EC -validity 3650 -dname CN=127.0.0.1 -ext SAN=ip:127.0.0.1 \
      -keystore "$folder/broker.p12" -storetype PKCS12 -storepass for-tests-only 2>>"$folder/format.log"
    keytool -exportcert -rfc -alias broker -keystore "$folder/broker.p12" -storepass for-tests-only \
      -file "$folder/ca.pem" 2>>"$folder/format.log"
    java -Xmx128m -XX:TieredStopAtLevel=1 "${logging[@]}" -cp "$jars/*" kafka.tools.StorageTool format \
      --cluster-id c3VyZ2VjYXN0LXRlc3QhIQ \
      --add-scram 'SCRAM-SHA-256=[name=surgecast,password=right]' \
      --add-scram 'SCRAM-SHA-512=[name=surgecast,password=right]' --config "$folder/server.properties" >>"$folder/format.log" 2>&1 ||
      { cat "$folder/format.log" >&2; exit 1; }
  fi
  exec java -Xms384m -Xmx384m -XX:+UseG1GC -Djava.awt.headless=true "${logging[@]}" -cp "$jars/*" \
    kafka.Kafka "$folder/server.properties" >>"$folder/broker.log" 2>&1
}

case ${1:-} in
  install) install ;;
  run) (($# == 5)) || { echo "usage: $0 run FOLDER PORT CONTROLLER_PORT SASL_PORT" >&2; exit 2; }; run "${@:2}" ;;
  *) echo "usage: $0 install | run FOLDER PORT CONTROLLER_PORT SASL_PORT" >&2; exit 2 ;;
esac
