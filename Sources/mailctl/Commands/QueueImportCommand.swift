// mailctl queue import: exported messages become drops, which queued adopts.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

struct QueueImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in messages that `queue export` wrote.",
        discussion: """
            Sender and recipients are those of the file; the id is new. What was imported here before, as far as mailctl's events tell (they are kept \
            for `retention.events`), is left out, unless --again is given.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Files with one or more exported messages.") var files: [String]
    @Flag(help: "Also what was imported before.") var again = false

    func run() throws {
        let configuration = try options.loadConfiguration()
        let before = again ? [] : try QueueImport.imported(configuration)
        let folder = try attempting { () throws(KernelError) in try ImportFolder(configuration) }
        // All are looked at before the first is taken in.
        for name in files { try forEach(in: name, configuration) { _, _ throws(Failure) in } }
        var taken: [QueueID] = [], left: [QueueID] = []
        for name in files {
            try forEach(in: name, configuration) { file, message throws(Failure) in
                guard !before.contains(message.id), !taken.contains(message.id) else { return left.append(message.id) }
                let drops = try attempting { () throws(KernelError) in try folder.leave(message, from: file) }
                // It is in the queue by now: said afterwards, a death in between makes it come twice and never be missed.
                try AdministratorLog.append(drops.map { RecordLine(.request).adding(.command, "import").adding(.target, message.id.text).adding(.drop, $0) }, configuration)
                taken.append(message.id)
            }
        }
        report(taken, left)
    }

    private func report(_ taken: [QueueID], _ left: [QueueID]) {
        if options.json {
            return Output.json(.object(["imported": .array(taken.map { .text($0.text) }), "known": .array(left.map { .text($0.text) })]))
        }
        for id in left { Output.line("\(id) was imported before and is left out; --again takes it in once more") }
        Output.line("\(QueueRequest.count(taken.count)) imported")
    }

    /// Each message of a file; throws at the first that is none.
    private func forEach(in name: String, _ configuration: Configuration, _ body: (borrowing Descriptor, ExportFile) throws(Failure) -> Void) throws(Failure) {
        let path = Path(name).resolved(from: Identity.workingDirectory)
        let file = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: path.parent).open(path.lastComponent) }
        let size = try attempting { () throws(KernelError) in try file.status().size }
        var start: Int64 = 0
        repeat {
            guard let message = try attempting({ () throws(KernelError) in try ExportFile(in: file, at: start) }), message.size >= 0,
                Int64(message.size) <= size - message.offset
            else {
                throw Failure(.data, "\(name) is no whole exported message from byte \(start) on", remedy: "take files that `mailctl queue export` wrote; nothing of what follows was taken in")
            }
            guard message.size <= Int(configuration.limits.messageSize.bytes) else {
                throw Failure(.data, "\(message.id) in \(name) is larger than limits.message_size", remedy: "raise it, run `mailctl reload`, and import again")
            }
            try body(file, message)
            start = message.offset + Int64(message.size)
        } while start < size
    }

    /// What mailctl has said that it imported.
    private static func imported(_ configuration: Configuration) throws(Failure) -> Set<QueueID> {
        try attempting { () throws(KernelError) in
            var found: Set<QueueID> = []
            let spool = try DirectoryDescriptor(opening: configuration.paths.spool)
            let follower = try LogFollower(spool: spool, LogName(.mailctl, .events), from: .start)
            while true {
                let records = try follower.poll()
                if records.isEmpty { return found }
                for placed in records where placed.record.verb == .request && placed.record.text(.command) == "import" {
                    if let id = placed.record[.target].flatMap({ QueueID(parsing: $0) }) { found.insert(id) }
                }
            }
        }
    }
}

/// The folder of drops, for mail whose sender is to be believed.
private struct ImportFolder: ~Copyable {
    private let folder: DirectoryDescriptor
    /// Whom a drop must belong to, so that its sender is believed; nil where everything belongs to the caller.
    private let owner: UInt32?

    init(_ configuration: Configuration) throws(KernelError) {
        let opened = try DirectoryDescriptor(opening: configuration.paths.spool / "drop")
        owner = Identity.isRoot ? try opened.status().owner : nil
        folder = opened
    }

    /// The names of the drops, durable; more than one for more recipients than a drop may have.
    func leave(_ message: ExportFile, from source: borrowing Descriptor) throws(KernelError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for start in stride(from: 0, to: message.recipients.count, by: DropFile.maximumRecipients) {
            let recipients = Array(message.recipients[start..<min(start + DropFile.maximumRecipients, message.recipients.count)])
            let unique = Hex.text(try Randomness.uint64(), digits: 16)
            let hidden = Path(DropFile.unfinishedPrefix + unique), shown = DropFile.prefix + Array("import-".utf8) + message.id.text + [UInt8(ascii: "-")] + unique
            let file = try folder.create(hidden, mode: 0o600, .write)
            try file.write(DropFile(sender: message.sender, recipients: recipients, content: []).head(size: message.size))
            var done = 0
            while done < message.size {
                let part = try source.read(min(1 << 20, message.size - done), at: message.offset + Int64(done))
                // A file that became shorter: what is unfinished is removed in a day.
                guard !part.isEmpty else { throw KernelError(.read, code: 5, object: message.id.text) }
                try file.write(part)
                done += part.count
            }
            if let owner { try folder.setOwner(of: hidden, uid: owner, gid: nil) }
            try file.sync()
            try folder.rename(hidden, to: Path(shown))
            names.append(shown)
        }
        try folder.sync()
        return names
    }
}
