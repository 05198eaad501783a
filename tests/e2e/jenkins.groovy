// Runs deploy/ci/jenkins/Jenkinsfile with steps that do what those of Jenkins do: a `sh` step goes to the configured
// shell as a script, with `-xe`. Looks for what the log shows of a secret.
//
//     groovy tests/e2e/jenkins.groovy target/release/blackbar

import java.nio.file.Files
import org.codehaus.groovy.control.CompilerConfiguration

class Pipeline {
    File home
    String blackbar
    Map<String, Object> seen = [:]
    List<String> log = []

    Pipeline(File home, String blackbar) {
        this.home = home
        this.blackbar = blackbar
    }

    // `agent any`: a name that stands for itself.
    def propertyMissing(String name) { name }

    def methodMissing(String name, arguments) {
        seen[name] = arguments.find { !(it instanceof Closure) } ?: true
        arguments.findAll { it instanceof Closure }.each {
            it.delegate = this
            it.resolveStrategy = Closure.DELEGATE_FIRST
            it()
        }
    }

    def sh(String step) {
        def script = new File(home, 'script.sh')
        script.text = step
        def shell = new File('deploy/ci/jenkins/sh').absolutePath
        def builder = new ProcessBuilder(shell, '-xe', script.path).directory(home).redirectErrorStream(true)
        builder.environment().PATH = new File(blackbar).absoluteFile.parent + ':' + System.getenv('PATH')
        builder.environment().DEPLOY_TOKEN = Secret.VALUE
        def process = builder.start()
        log << process.inputStream.text
        assert process.waitFor() == 0 : 'the step has failed'
    }
}

class Secret { static final VALUE = 'q' + UUID.randomUUID().toString().replace('-', '') }

def home = Files.createTempDirectory('blackbar-').toFile()
try {
    new File(home, 'Makefile').text = 'test: ; @echo "testing with $$DEPLOY_TOKEN"\n'
    def pipeline = new Pipeline(home, args[0])
    def settings = new CompilerConfiguration()
    settings.scriptBaseClass = DelegatingScript.name
    def script = new GroovyShell(this.class.classLoader, new Binding(), settings).parse(new File('deploy/ci/jenkins/Jenkinsfile'))
    script.setDelegate(pipeline)
    script.run()
    assert pipeline.seen.keySet().containsAll(['pipeline', 'agent', 'stages', 'stage', 'steps'])
    assert pipeline.seen.agent == 'any'
    def log = pipeline.log.join('')
    assert log.contains('testing with [REDACTED:known-value]') : 'the step ran, and its value is masked'
    assert !log.contains(Secret.VALUE)
    println 'ok: the pipeline of deploy/ci/jenkins'
} finally {
    home.deleteDir()
}
