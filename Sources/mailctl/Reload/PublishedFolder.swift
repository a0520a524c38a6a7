// What mailctl publishes for running services: the configuration in force, and log levels. They see a replaced file within
// seconds, and at once with a signal; the administrator's own file lies outside their confinement.

import Configuration
import Kernel
import Spool

struct PublishedFolder {
    private let path: Path
    private static let configuration: Path = "martlet.toml"
    private static let levels: Path = "log-levels"

    init(_ paths: Configuration.Paths) { path = paths.published }

    /// What the services were told last; nil where nothing usable is.
    var configuration: Configuration? { try? Configuration.load(path: (path / PublishedFolder.configuration).description) }

    func publish(_ configuration: Configuration) throws(Failure) { try write(PublishedFolder.configuration, configuration.published) }

    /// At the start of a life: each service reads the file when it starts, so that is what is in force. Without room to say so
    /// they start all the same.
    func begin(_ configuration: Configuration) {
        do throws(Failure) { try publish(configuration) } catch { Output.note("\(error.what)\n  \(error.remedy)") }
    }

    /// Who says otherwise than every fact.
    var levels: [Service: LogLevel] {
        let text = (try? DirectoryDescriptor(passing: path).contents(of: PublishedFolder.levels, limit: 4096)) ?? []
        var found: [Service: LogLevel] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2, let service = Service(rawValue: words[0]), let level = LogLevel(name: words[1]) { found[service] = level }
        }
        return found
    }

    func publish(_ levels: [Service: LogLevel]) throws(Failure) {
        let lines = Service.allCases.compactMap { service in levels[service].map { "\(service.rawValue) \($0.name)\n" } }
        try write(PublishedFolder.levels, lines.joined())
    }

    private func write(_ name: Path, _ text: String) throws(Failure) {
        try attempting { () throws(KernelError) in
            let folder = try DirectoryDescriptor(opening: path)
            try folder.replace(name, with: Array(text.utf8), mode: 0o640)
        }
    }
}
