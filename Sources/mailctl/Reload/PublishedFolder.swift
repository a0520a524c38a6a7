// What mailctl publishes for running services: the configuration in force, and log levels. They see a replaced file within
// seconds, and at once with a signal; the administrator's own file lies outside their confinement.

import Configuration
import Kernel
import Spool

struct PublishedFolder {
    private let path: Path

    init(_ paths: Configuration.Paths) { path = paths.published }

    /// What the services were told last; nil where nothing usable is.
    var configuration: Configuration? { try? Configuration.load(path: (path / Configuration.Paths.publishedValues).description) }

    func publish(_ configuration: Configuration) throws(Failure) { try write(Configuration.Paths.publishedValues, configuration.published) }

    /// At the start of a life: each service reads the file when it starts, so that is what is in force. Without room to say so
    /// they start all the same.
    func begin(_ configuration: Configuration) {
        do throws(Failure) { try publish(configuration) } catch { Output.note("\(error.what)\n  \(error.remedy)") }
    }

    /// Who says otherwise than every fact.
    var levels: [Service: LogLevel] {
        let found = LogLevel.levels(in: whatTheySay)
        return Dictionary(uniqueKeysWithValues: Service.allCases.compactMap { service in found[service.rawValue].map { (service, $0) } })
    }

    /// The dialogues that are written down, also those whose time is over.
    var wishes: [TranscriptWish] { TranscriptWish.wishes(in: whatTheySay) }

    private var whatTheySay: [UInt8] {
        (try? DirectoryDescriptor(passing: path).contents(of: Configuration.Paths.publishedLevels, limit: 4096)) ?? []
    }

    func publish(_ levels: [Service: LogLevel]) throws(Failure) { try publish(levels, wishes) }
    func publish(_ wishes: [TranscriptWish]) throws(Failure) { try publish(levels, wishes) }

    private func publish(_ levels: [Service: LogLevel], _ wishes: [TranscriptWish]) throws(Failure) {
        let text = LogLevel.text(Service.allCases.compactMap { service in levels[service].map { (service.rawValue, $0) } })
        try write(Configuration.Paths.publishedLevels, text + String(decoding: TranscriptWish.text(wishes), as: UTF8.self))
    }

    private func write(_ name: Path, _ text: String) throws(Failure) {
        try attempting { () throws(KernelError) in
            let folder = try DirectoryDescriptor(opening: path)
            try folder.replace(name, with: Array(text.utf8), mode: 0o640)
        }
    }
}
