// The options that programs have used for forty years, as bytes: addresses come as arguments.

import MailModel

/// What the caller asked for.
struct Options {
    var recipients: [[UInt8]] = []
    var readsRecipients = false
    /// A lone dot does not end the message (-i, -oi).
    var ignoresDots = false
    var sender: [UInt8]?
    var fullName: [UInt8]?
    var configuration = "/etc/martlet/martlet.toml"

    /// Nil and why, for options that cannot be honoured.
    static func parse(_ arguments: [String]) -> Result<Options, OptionProblem> {
        var options = Options()
        var words = arguments.dropFirst()[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                options.recipients.append(Array(word.utf8))
                continue
            }
            if word == "--" {
                options.recipients += words.map { Array($0.utf8) }
                break
            }
            if let problem = options.take(word, &words) { return .failure(problem) }
        }
        return .success(options)
    }

    private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) -> OptionProblem? {
        func value() -> String? { word.utf8.count > 2 ? String(word.dropFirst(2)) : rest.popFirst() }
        switch String(word.prefix(2)) {
        case "-t": readsRecipients = true
        case "-i": ignoresDots = true
        case "-o": ignoresDots = ignoresDots || word == "-oi" || word == "-oitrue"
        case "-f", "-r": sender = value().map { Array($0.utf8) }
        case "-F": fullName = value().map { Array($0.utf8) }
        case "-C": configuration = value() ?? configuration
        case "-b":
            if word != "-bm" { return OptionProblem("\(word) is not done by this command: use mailctl") }
        case "-B", "-N", "-R", "-V", "-h", "-L", "-O", "-p", "-X": _ = value()
        case "-v", "-n", "-m", "-U", "-G": break
        default: return OptionProblem("unknown option \(word)")
        }
        return nil
    }
}

struct OptionProblem: Error {
    let text: String
    init(_ text: String) { self.text = text }
}
