// mailctl queue export: messages as files, for another queue or for later.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import SpoolFormat

struct QueueExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write messages with their envelopes to files.",
        discussion: """
            One file a message, ID.mail, with the recipients that have not got it yet; `-` writes all to stdout. The files are on the disk when \
            the command ends. Nothing leaves the queue, unless --delete says so; then each message must be held, so that nobody sends it meanwhile. \
            `mailctl queue import` takes such files in. What SMTP's extensions asked for is not kept; mail with REQUIRETLS is therefore left out.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "A folder, or - for stdout.") var folder: String
    @OptionGroup var selection: QueueSelection
    @OptionGroup var consent: QueueConsent
    @Flag(help: "Delete from the queue what was written.") var delete = false

    func run() throws {
        let configuration = try options.loadConfiguration()
        let messages = try consent.messages(selection, configuration).filter { isWanted($0) }
        if consent.dryRun { return QueueRequest(command: "export", words: ("export", "exported"), options: options).preview(messages, try selection.criteria()) }
        let content = try QueueContent(of: Set(messages.map(\.id)), configuration)
        if delete, let loose = messages.first(where: { !$0.isHeld || $0.copies.contains { $0.state == .assigned } }) {
            throw Failure(
                .temporary, "\(loose.id) is not held, or an agent has it: it may be sent while it is written", remedy: "`mailctl queue hold` it first, and look at it with `queue show`")
        }
        for message in messages { try content.check(message.id) }
        if folder == "-" { try writeToOutput(messages, content) } else { try write(messages, content) }
        // One value of JSON: what was deleted was written.
        if folder != "-", !(delete && options.json) { report(messages) }
        if delete { try QueueRequest(command: "delete", words: ("delete", "deleted"), reason: Array("exported".utf8), options: options).ask(messages, configuration) }
    }

    private func isWanted(_ message: QueueView.Message) -> Bool {
        if message.requiresTLS { Output.note("\(message.id) asks for REQUIRETLS, which a file cannot keep: it is left out") }
        return !message.requiresTLS && !message.openRecipients.isEmpty
    }

    private func report(_ messages: [QueueView.Message]) {
        if options.json { return Output.json(.object(["exported": .array(messages.map { .text($0.id.text) }), "folder": .text(folder)])) }
        Output.line("\(QueueRequest.count(messages.count)) written to \(folder)")
    }

    private func head(_ message: QueueView.Message, _ content: QueueContent) -> [UInt8] {
        ExportFile(id: message.id, sender: message.sender, recipients: message.openRecipients, size: content.accept(message.id)?.location.extent.length ?? 0).head
    }

    private func writeToOutput(_ messages: [QueueView.Message], _ content: QueueContent) throws(Failure) {
        guard !delete else { throw Failure(.usage, "--delete needs a folder: whether a pipe has kept its bytes cannot be known", remedy: "name a folder") }
        let output = Descriptor(adopting: 1, name: "stdout")
        for message in messages {
            try attempting { () throws(KernelError) in try output.write(head(message, content)) }
            try content.write(message.id) { part throws(KernelError) in try output.write(part) }
        }
    }

    /// Each under another name first: who finds ID.mail finds the whole message.
    private func write(_ messages: [QueueView.Message], _ content: QueueContent) throws(Failure) {
        let place = Path(folder).resolved(from: Identity.workingDirectory)
        let folder = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: place) }
        for message in messages {
            let hidden = Path(Array(".new-".utf8) + message.id.text), shown = Path(message.id.text + Array(".mail".utf8))
            let file = try attempting { () throws(KernelError) in
                _ = try present { () throws(KernelError) in try folder.unlink(hidden) }
                let file = try folder.create(hidden, mode: 0o600, .write)
                try file.write(head(message, content))
                return file
            }
            try content.write(message.id) { part throws(KernelError) in try file.write(part) }
            try attempting { () throws(KernelError) in
                try file.sync()
                try folder.rename(hidden, to: shown)
            }
        }
        try attempting { () throws(KernelError) in try folder.sync() }
    }
}

extension QueueView.Message {
    /// Those who have not got it, by where they lead; an archive gets its copy where the message is sent from.
    var openRecipients: [[UInt8]] {
        var known: Set<[UInt8]> = []
        return copies.filter { !$0.isArchive && ($0.isWaiting || $0.state == .assigned) }.map(\.destination).filter { known.insert($0).inserted }
    }
}
