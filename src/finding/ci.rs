//! Turns the variables of a CI system into who ran what (`blackbar.ci` of findings). Does not read
//! the environment itself: the caller says how.

use serde::Serialize;

/// The run of a CI system that a finding belongs to. What the system does not tell is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ci {
    /// `github`, `gitlab`, `buildkite`, `circleci`, `jenkins`, `travis`, `drone` or `azure`.
    pub provider: &'static str,
    /// The repository: `owner/name`, or its address without user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The commit that was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The job's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The page of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

/// Recognises the CI system by the variables it sets. `get` looks a variable up.
///
/// The variables are those of the systems' own documentation:
/// [GitHub](https://docs.github.com/en/actions/reference/workflows-and-actions/variables),
/// [GitLab](https://docs.gitlab.com/ci/variables/predefined_variables/),
/// [Buildkite](https://buildkite.com/docs/pipelines/configure/environment-variables),
/// [CircleCI](https://circleci.com/docs/reference/variables/),
/// [Jenkins](https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables),
/// [Travis](https://docs.travis-ci.com/user/environment-variables/),
/// [Drone](https://docs.drone.io/pipeline/environment/reference/),
/// [Azure](https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables).
pub fn detect(get: impl Fn(&str) -> Option<String>) -> Option<Ci> {
    let get = |name: &str| get(name).filter(|value| !value.is_empty()).map(|value| clean(&value));
    let is = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    // Jenkins comes last: it is known by an address, which people set on other systems, too.
    let ci = if is("GITHUB_ACTIONS") {
        Ci {
            provider: "github",
            repository: get("GITHUB_REPOSITORY"),
            commit: get("GITHUB_SHA"),
            job: get("GITHUB_JOB"),
            run_url: join(&[get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY")], "/")
                .and_then(|base| join(&[Some(base), get("GITHUB_RUN_ID")], "/actions/runs/")),
        }
    } else if is("GITLAB_CI") {
        // CI_REPOSITORY_URL is left alone: it holds the job's token.
        Ci {
            provider: "gitlab",
            repository: get("CI_PROJECT_PATH"),
            commit: get("CI_COMMIT_SHA"),
            job: get("CI_JOB_NAME"),
            run_url: get("CI_JOB_URL").or_else(|| get("CI_PIPELINE_URL")),
        }
    } else if is("BUILDKITE") {
        Ci {
            provider: "buildkite",
            repository: get("BUILDKITE_REPO"),
            commit: get("BUILDKITE_COMMIT"),
            job: get("BUILDKITE_LABEL").or_else(|| get("BUILDKITE_STEP_KEY")),
            run_url: join(&[get("BUILDKITE_BUILD_URL"), get("BUILDKITE_JOB_ID")], "#")
                .or_else(|| get("BUILDKITE_BUILD_URL")),
        }
    } else if is("CIRCLECI") {
        Ci {
            provider: "circleci",
            repository: join(&[get("CIRCLE_PROJECT_USERNAME"), get("CIRCLE_PROJECT_REPONAME")], "/"),
            commit: get("CIRCLE_SHA1"),
            job: get("CIRCLE_JOB"),
            run_url: get("CIRCLE_BUILD_URL"),
        }
    } else if is("TRAVIS") {
        Ci {
            provider: "travis",
            repository: get("TRAVIS_REPO_SLUG"),
            commit: get("TRAVIS_COMMIT"),
            job: get("TRAVIS_JOB_NAME"),
            run_url: get("TRAVIS_JOB_WEB_URL").or_else(|| get("TRAVIS_BUILD_WEB_URL")),
        }
    } else if is("DRONE") {
        Ci {
            provider: "drone",
            repository: get("DRONE_REPO"),
            commit: get("DRONE_COMMIT_SHA"),
            job: get("DRONE_STAGE_NAME"),
            run_url: get("DRONE_BUILD_LINK"),
        }
    } else if is("TF_BUILD") {
        // SYSTEM_COLLECTIONURI ends with a slash.
        let project = join(&[get("SYSTEM_COLLECTIONURI"), get("SYSTEM_TEAMPROJECT")], "");
        Ci {
            provider: "azure",
            repository: get("BUILD_REPOSITORY_NAME"),
            commit: get("BUILD_SOURCEVERSION"),
            job: get("SYSTEM_JOBDISPLAYNAME").or_else(|| get("AGENT_JOBNAME")),
            run_url: join(&[project, get("BUILD_BUILDID")], "/_build/results?buildId="),
        }
    } else if get("JENKINS_URL").is_some() {
        Ci {
            provider: "jenkins",
            repository: get("GIT_URL"),
            commit: get("GIT_COMMIT"),
            job: get("JOB_NAME"),
            run_url: get("BUILD_URL"),
        }
    } else {
        return None;
    };
    Some(ci)
}

/// Both parts with `between` them, or nothing if one is missing.
fn join(parts: &[Option<String>; 2], between: &str) -> Option<String> {
    let [Some(left), Some(right)] = parts else {
        return None;
    };
    Some(format!("{left}{between}{right}"))
}

/// Removes user and password from an address. Repositories are often cloned with a token in it.
fn clean(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    // The password may itself hold `@` and `/`, unescaped: everything up to the last `@` goes.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<Ci> {
        detect(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn every_system_is_known_by_its_own_variables() {
        for (name, value, provider) in [
            ("GITHUB_ACTIONS", "true", "github"),
            ("GITLAB_CI", "true", "gitlab"),
            ("BUILDKITE", "true", "buildkite"),
            ("CIRCLECI", "true", "circleci"),
            ("TRAVIS", "true", "travis"),
            ("DRONE", "true", "drone"),
            ("TF_BUILD", "True", "azure"),
            ("JENKINS_URL", "https://ci.example.org/", "jenkins"),
        ] {
            assert_eq!(of(&[(name, value)]).map(|ci| ci.provider), Some(provider));
        }
        assert_eq!(of(&[("CI", "true")]), None);
    }

    #[test]
    fn a_github_run_has_its_page() {
        let ci = of(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "17"),
        ]);
        assert_eq!(ci.and_then(|ci| ci.run_url).as_deref(), Some("https://github.com/o/r/actions/runs/17"));
    }

    #[test]
    fn the_token_of_a_clone_address_is_removed() {
        for address in ["https://bot:canary@git.example.org/r.git", "https://bot:ca@na/ry@git.example.org/r.git"] {
            let ci = of(&[("BUILDKITE", "true"), ("BUILDKITE_REPO", address)]);
            assert_eq!(ci.and_then(|ci| ci.repository).as_deref(), Some("https://git.example.org/r.git"));
        }
    }
}
