//! The files in `deploy` against the program: every key and variable is one that it accepts, commands run as written, alert rules
//! ask for metrics that it has, and each alert has a page that says what to do.
#![allow(clippy::disallowed_methods, reason = "a test waits in real time, up to a limit")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use yaml_rust2::{Yaml, YamlLoader};

use crate::metrics::{is_registered, metric_names};
use crate::program::{Program, surgecast};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file.
pub fn yaml(path: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&text_of(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn strings(yaml: &Yaml) -> Vec<String> {
    yaml.as_vec()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// The StatefulSets of Kubernetes, each with its only container.
pub fn workloads() -> Vec<(Yaml, Yaml)> {
    let files = ["count", "forecast"].map(|name| yaml(&format!("deploy/kubernetes/{name}.yaml")));
    let found = files.into_iter().flatten().map(|set| {
        let containers = &set["spec"]["template"]["spec"]["containers"];
        assert_eq!(containers.as_vec().map(Vec::len), Some(1));
        let container = containers[0].clone();
        (set, container)
    });
    found.collect()
}

/// The variables of a container, with the name of its pod filled in.
pub fn variables(container: &Yaml, pod: &str) -> BTreeMap<String, String> {
    let all = container["env"].as_vec().expect("variables").iter();
    let set = all.filter_map(|entry| {
        let value = entry["value"].as_str()?.replace("$(POD_NAME)", pod);
        Some((entry["name"].as_str().expect("a name").to_owned(), value))
    });
    set.collect()
}

/// A folder with secrets of every kind that the files name.
fn secrets(folder: &Path) -> PathBuf {
    let secrets = folder.join("secrets");
    std::fs::create_dir_all(&secrets).expect("a folder");
    let tokens = "[[tokens]]\nname = \"wall\"\nscopes = [\"read\"]\ntoken = \"replace-me-wall-0123456789\"\n";
    for (name, text) in [("tokens.toml", tokens), ("influx.token", "a-token\n")] {
        std::fs::write(secrets.join(name), text).expect("a secret");
    }
    secrets
}

/// What `check` says about a config file's text, with places of the deployed system replaced by those of this test.
fn check(folder: &Path, config: &str, vars: &BTreeMap<String, String>) -> Output {
    let secrets = secrets(folder);
    let file = folder.join("surgecast.toml");
    let text = config.replace("/etc/surgecast/secrets", secrets.to_str().expect("UTF-8"));
    std::fs::write(&file, text).expect("config");
    let vars = vars.iter().filter(|(name, _)| name.starts_with("SURGECAST__"));
    surgecast(&["check", "--config"]).arg(file).envs(vars).output().expect("it runs")
}

/// Names of deployments, each with the text of its config and its variables.
fn deployments() -> Vec<(String, String, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    let compose = yaml("deploy/compose.yaml").remove(0);
    let pairs = compose["services"]["surgecast"]["environment"].as_hash().expect("variables");
    let pairs = pairs.iter().map(|(key, value)| {
        let (key, value) = (key.as_str().expect("text"), value.as_str().expect("text"));
        (key.to_owned(), value.replace("${INFLUX_ORG:-noc}", "noc").replace("${", "x"))
    });
    found.push(("compose".to_owned(), text_of("deploy/surgecast.toml"), pairs.collect()));
    for (set, container) in workloads() {
        let name = set["metadata"]["name"].as_str().expect("a name").to_owned();
        let vars = variables(&container, &format!("{name}-0"));
        found.push((name, text_of("deploy/kubernetes/surgecast.toml"), vars));
    }
    let unit = text_of("deploy/systemd/surgecast.service");
    let set = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let set = set.filter_map(|pair| pair.split_once('='));
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    found.push(("unit".to_owned(), text_of("deploy/debian/surgecast.toml"), set));
    found
}

#[test]
fn every_key_and_variable_is_one_that_check_accepts() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, config, vars) in deployments() {
        let done = check(folder.path(), &config, &vars);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{name}: {said}");
        // A check that lets everything pass would not notice a wrong key either.
        let mut wrong = vars.clone();
        wrong.insert("SURGECAST__SERVER__LISTN".into(), "x".into());
        assert_eq!(check(folder.path(), &config, &wrong).status.code(), Some(64), "{name}");
    }
    // The variables that the documents name for secrets.
    let vars = [
        ("SURGECAST__KAFKA__BROKERS", "kafka:9092"),
        ("SURGECAST__KAFKA__PROPERTIES__SASL__PASSWORD", "secret"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let done = check(folder.path(), &text_of("deploy/debian/surgecast.toml"), &vars);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The unit's commands, with its paths replaced: they start a service whose secrets are systemd's credentials.
#[test]
fn the_commands_of_the_unit_start_the_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let unit = text_of("deploy/systemd/surgecast.service");
    let value = |key: &str| {
        let found = unit.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
        found.unwrap_or_else(|| panic!("no {key} in the unit")).to_owned()
    };
    // `LoadCredential=ID:FOLDER` hands over each file as ID_FILE.
    let loaded = value("LoadCredential");
    let (id, source) = loaded.split_once(':').expect("an id and a folder");
    let readme = text_of("deploy/debian/secrets.README");
    assert!(readme.contains(&format!("{source}/influx.token")), "{readme}");
    let credential = format!("/run/credentials/surgecast.service/{id}_influx.token");
    assert!(readme.contains(&credential) && unit.contains(&credential), "{credential}");
    let credentials = path("credentials");
    std::fs::create_dir_all(&credentials).expect("a folder");
    std::fs::write(format!("{credentials}/{id}_influx.token"), "a-token\n").expect("a secret");
    let places = [
        ("/usr/bin/surgecast", env!("CARGO_BIN_EXE_surgecast").to_owned()),
        ("/etc/surgecast/surgecast.toml", path("surgecast.toml")),
        ("/run/credentials/surgecast.service", credentials),
        ("/var/lib/surgecast", path("state")),
    ];
    let here = |text: &str| {
        places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    };
    let more = format!(
        "\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[influxdb]\n\
         url = \"http://127.0.0.1:9\"\norg = \"noc\"\ntoken_file = \"{credential}\"\n"
    );
    let config = here(&(text_of("deploy/debian/surgecast.toml") + &more));
    std::fs::write(path("surgecast.toml"), config).expect("config");
    let command = |key: &str| {
        let line = here(&value(key));
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).env_clear();
        command
    };
    let before = command("ExecStartPre").output().expect("it runs");
    assert!(before.status.success(), "{}", String::from_utf8_lossy(&before.stderr));
    let program = Program::start_command(command("ExecStart"));
    assert_eq!(program.get("/api/v1/status").json()["version"], env!("CARGO_PKG_VERSION"));
    assert!(folder.path().join("state/data/state.db").exists());
    let reload = value("ExecReload").replace("$MAINPID", &program.pid().to_string());
    let words: Vec<&str> = reload.split_whitespace().collect();
    assert!(Command::new(words[0]).args(&words[1..]).status().expect("it runs").success());
    let (status, _) = program.interrupt();
    assert!(status.success());
}

/// `systemd-analyze` rates the unit, and reads it without a complaint but for programs that are not installed here.
#[test]
fn the_unit_is_hardened() {
    let unit = root().join("deploy/systemd/surgecast.service");
    let run = |args: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let done = command.args(args).arg(&unit).env("SYSTEMD_PAGER", "cat").output();
        let done = done.expect("systemd-analyze runs: Debian's package `systemd` has it");
        let said =
            [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (done.status.success(), said.concat())
    };
    let (passed, said) = run(&["security", "--offline=true", "--threshold=20", "--no-pager"]);
    assert!(passed && said.contains("exposure level"), "{said}");
    let (_, said) = run(&["verify", "--man=no", "--recursive-errors=no"]);
    let rest: Vec<&str> = said
        .lines()
        .filter(|line| !line.contains("/usr/bin/surgecast is not executable"))
        .collect();
    assert!(rest.is_empty(), "{said}");
}

/// Kubernetes: what schemas cannot know. Schemas are checked by tests/deploy/run.
#[test]
fn the_files_of_kubernetes_belong_together() {
    let folder = root().join("deploy/kubernetes");
    let listed = yaml("deploy/kubernetes/kustomization.yaml").remove(0);
    let mut files: BTreeSet<String> = strings(&listed["resources"]).into_iter().collect();
    files.extend(strings(&listed["configMapGenerator"][0]["files"]));
    files.insert("kustomization.yaml".into());
    let there = std::fs::read_dir(&folder).expect("the folder");
    let there = there.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"));
    assert_eq!(files, there.collect());
    assert_eq!(listed["images"][0]["newTag"].as_str(), Some(env!("CARGO_PKG_VERSION")));
    let services = yaml("deploy/kubernetes/services.yaml");
    let budgets = yaml("deploy/kubernetes/disruption.yaml");
    for (set, container) in workloads() {
        let name = set["metadata"]["name"].as_str().expect("a name");
        let labels = &set["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels, &set["spec"]["selector"]["matchLabels"]);
        let service = set["spec"]["serviceName"].as_str().expect("a service");
        let service =
            services.iter().find(|found| found["metadata"]["name"].as_str() == Some(service));
        assert_eq!(&service.expect("the service")["spec"]["selector"], labels);
        let budget =
            budgets.iter().find(|found| &found["spec"]["selector"]["matchLabels"] == labels);
        let least = budget.expect("a budget")["spec"]["minAvailable"].as_i64().expect("a number");
        assert!(
            least < set["spec"]["replicas"].as_i64().expect("a number"),
            "no node can be drained"
        );
        let role = name.strip_prefix("surgecast-").expect("a role");
        assert!(strings(&container["args"]).ends_with(&["--role".into(), role.into()]));
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let get = &container[probe]["httpGet"];
            assert_eq!(get["port"].as_str(), Some("admin"), "{name} {probe}");
            let path = get["path"].as_str().expect("a path");
            assert_eq!(path == "/ready", probe == "readinessProbe", "{name} {probe}");
        }
        let mounts = container["volumeMounts"].as_vec().expect("mounts").iter();
        let mounts: Vec<&str> = mounts.filter_map(|mount| mount["mountPath"].as_str()).collect();
        for path in ["/var/lib/surgecast", "/etc/surgecast/config", "/etc/surgecast/secrets"] {
            assert!(mounts.contains(&path), "{name}: {mounts:?}");
        }
    }
}

/// The image's build gets the files that the program is built from.
#[test]
fn the_image_is_built_from_all_that_the_program_needs() {
    let ignored = text_of("deploy/Dockerfile.dockerignore");
    let taken: BTreeSet<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for path in &taken {
        assert!(root().join(path).exists(), "{path} is not there");
    }
    let mut needed = BTreeSet::from(["Cargo.toml", "Cargo.lock", "build.rs", "src", "askama.toml"]);
    let mut folders = vec![root().join("src")];
    let mut included = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file"))
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs")
                && !path.to_string_lossy().contains("test")
            {
                let text = std::fs::read_to_string(&path).expect("source");
                let named = text.split("include_str!(\"").skip(1);
                let named = named.filter_map(|rest| rest.split('"').next().map(str::to_owned));
                included.extend(named.map(|name| folder.join(name)));
            }
        }
    }
    assert!(included.len() > 20, "{included:?}");
    for path in included {
        let path = path.canonicalize().expect("the file");
        let inside = path.strip_prefix(root().canonicalize().expect("the root")).expect("inside");
        let first = inside.iter().next().and_then(|part| part.to_str()).expect("a folder");
        needed.extend(["models", "src", "grafana"].into_iter().filter(|name| *name == first));
        assert!(taken.contains(first), "{} is not in the image's build", inside.display());
    }
    assert!(needed.is_subset(&taken), "{needed:?} {taken:?}");
    let dockerfile = text_of("deploy/Dockerfile");
    let user = dockerfile.lines().rev().find_map(|line| line.strip_prefix("USER "));
    // Kubernetes takes a user by number only for one that is not root.
    assert!(user.is_some_and(|user| user.starts_with("10001")), "{user:?}");
}

/// Alert rules for Prometheus: `(name, expression, page)`.
pub fn alert_rules() -> Vec<(String, String, String)> {
    let rules = yaml("deploy/prometheus/rules.yml").remove(0);
    let groups = rules["groups"].as_vec().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_vec().expect("rules").clone());
    let text = |yaml: &Yaml| yaml.as_str().expect("text").to_owned();
    let found = rules.map(|rule| {
        (text(&rule["alert"]), text(&rule["expr"]), text(&rule["annotations"]["runbook"]))
    });
    found.collect()
}

#[test]
fn every_alert_has_metrics_a_page_and_a_test() {
    let guide = text_of("docs/operations.md");
    let tests = text_of("tests/deploy/rules.test.yml");
    let mut pages = BTreeSet::new();
    for (name, expression, page) in alert_rules() {
        assert_eq!(page, format!("docs/runbooks/{name}.md"));
        let text = text_of(&page);
        assert!(text.starts_with(&format!("# `{name}`\n")), "{page}");
        for heading in ["**Meaning.**", "**Effect.**", "**Look.**", "**Do.**"] {
            assert!(text.contains(heading), "{page} lacks {heading}");
        }
        assert!(guide.contains(&format!("](runbooks/{name}.md)")), "{name} is not in the guide");
        assert!(tests.contains(&name), "{name} has no test");
        let metrics = metric_names(&expression);
        assert!(!metrics.is_empty() || expression.contains("up{"), "{expression}");
        for metric in metrics {
            assert!(is_registered(metric), "{name}: no metric {metric}");
        }
        pages.insert(format!("{name}.md"));
    }
    let there = std::fs::read_dir(root().join("docs/runbooks")).expect("the folder");
    let there = there.map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"));
    assert_eq!(pages, there.collect(), "pages without an alert");
}

/// Grafana's variables are set where Grafana runs.
#[test]
fn compose_sets_every_variable_of_the_data_sources() {
    let compose = yaml("deploy/compose.yaml").remove(0);
    let set = &compose["services"]["grafana"]["environment"];
    let mut asked = 0;
    for file in
        std::fs::read_dir(root().join("grafana/provisioning/datasources")).expect("a folder")
    {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        for variable in text.split('$').skip(1) {
            let end = variable.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            let name = &variable[..end.unwrap_or(variable.len())];
            assert!(!set[name].is_badvalue(), "compose does not set {name} for Grafana");
            asked += 1;
        }
    }
    assert!(asked >= 5, "{asked}");
}

/// The commands of `## First steps` in the guide, as they stand there, end with a running system that has counted.
#[test]
fn the_first_steps_of_the_guide_work_as_written() {
    let guide = text_of("docs/operations.md");
    let start = guide.find("\n## First steps\n").expect("the section");
    let section = &guide[start + 1..];
    let section = &section[..section.find("\n## ").expect("its end")];
    let mut script = String::from("set -euo pipefail\n");
    let mut blocks = 0;
    for block in section.split("```sh\n").skip(1) {
        script.push_str(block.split("```").next().expect("its end"));
        blocks += 1;
    }
    assert!(blocks >= 4, "{blocks}");
    // The only things that differ: free ports.
    let ports = [0; 2].map(|_| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").to_string()
    });
    let script = script.replace("127.0.0.1:8080", &ports[0]).replace("127.0.0.1:9464", &ports[1]);
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_surgecast")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").expect("PATH"));
    let done = Command::new("timeout")
        .args(["300", "bash", "-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("SURGECAST__SERVER__LISTEN", &ports[0])
        .env("SURGECAST__ADMIN__LISTEN", &ports[1])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("bash runs");
    let pid = std::fs::read_to_string(folder.path().join("surgecast.pid")).unwrap_or_default();
    let log = std::fs::read_to_string(folder.path().join("surgecast.log")).unwrap_or_default();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    let ended = Command::new("kill").args(["-INT", pid.trim()]).status().expect("kill runs");
    assert!(done.status.success(), "{said}\n{errors}\n{log}");
    assert!(ended.success(), "it does not run at the end: {log}");
    for part in ["this would run", "outcome=\"counted\"", "nothing is unmapped"] {
        assert!(said.contains(part), "{part}: {said}\n{log}");
    }
}
