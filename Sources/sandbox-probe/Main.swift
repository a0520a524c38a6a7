// sandbox-probe: tries what no service may do, confined as each service is, and unconfined; `mailctl sandbox report` reads it.
//
// Runs as     root; each trial in a process of its own, which becomes the service's user and confines itself as the service does.
//             As another user it tries what needs no root
// Reads       the configuration; what its trials open is closed unread
// Writes      nothing that stays: what a trial makes it removes
// Talks to    sockets of its own on loopback
// Never       serves; is started but by `mailctl sandbox report`; holds what a daemon holds: its code is linked into no daemon
// Trusts      its caller
// If captured is whoever started it
// Standards   none

import Configuration
import Kernel

@main
enum Main {
    static func main() {
        var words = CommandLine.arguments.dropFirst()[...]
        guard words.popFirst() == "--config", let file = words.popFirst(), words.popFirst() == "--results",
            let results = words.popFirst().flatMap(Int32.init), words.isEmpty
        else { return end("usage: sandbox-probe --config PATH --results DESCRIPTOR, by `mailctl sandbox report`", 64) }
        let output = Descriptor(adopting: results, name: "results")
        let configuration: Configuration
        do throws(ConfigurationError) { configuration = try Configuration.load(path: file) } catch { return end("\(error)", 78) }
        do throws(ProbeError) {
            try Report(configuration, file: Path(file)).write { line in
                do throws(KernelError) { try output.write(Array((line + "\n").utf8)) } catch { end("\(error)", 74) }
            }
        } catch { end(error.sentence, 70) }
    }

    private static func end(_ sentence: String, _ code: Int32) {
        writeToStandardError(Array("sandbox-probe: \(sentence)\n".utf8))
        Identity.exit(code)
    }
}

/// The probe itself could not do its work.
struct ProbeError: Error {
    let sentence: String
}
