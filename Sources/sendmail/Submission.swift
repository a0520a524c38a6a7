// From stdin to a drop that is on the disk before the caller hears of success.

import Configuration
import Kernel
import MailFormat
import MailModel
import SpoolFormat

/// One submission.
enum Submission {
    /// sysexits.h
    private static let usage: Int32 = 64, dataError: Int32 = 65, noUser: Int32 = 67, ioError: Int32 = 74, temporary: Int32 = 75, configuration: Int32 = 78

    static func run(_ arguments: [String]) -> Int32 {
        let options: Options
        switch Options.parse(arguments) {
        case .success(let parsed): options = parsed
        case .failure(let problem): return complain(problem.text, "usage: sendmail [-t] [-i] [-f SENDER] [-F NAME] [ADDRESS…] < message", usage)
        }
        let settings: Configuration
        do throws(ConfigurationError) { settings = try Configuration.load(path: options.configuration) } catch {
            return complain("\(error)", "name the configuration with -C FILE", configuration)
        }
        let limit = Int(settings.limits.messageSize.bytes)
        let message: [UInt8]?
        var input = StandardInput(endsAtDot: !options.ignoresDots, limit: limit)
        do throws(KernelError) { message = try input.read() } catch {
            return complain("\(error)", "nothing was sent", ioError)
        }
        guard let message else {
            return complain("the message is larger than limits.message_size (\(limit) bytes)", "send less, or a link", dataError)
        }
        return submit(message, options, settings)
    }

    private static func submit(_ message: [UInt8], _ options: Options, _ settings: Configuration) -> Int32 {
        var composer = Composer(message: message, host: settings.hostname)
        var recipients: [EmailAddress] = []
        for text in options.recipients {
            guard let address = composer.address(text) else { return complain("\(text.display) is no mail address", "write user@domain", noUser) }
            recipients.append(address)
        }
        if options.readsRecipients {
            let (found, wrong) = composer.takeRecipients()
            if let wrong { return complain("there is no mail address in part of \(wrong.display)", "write user@domain", noUser) }
            recipients += found
        }
        guard !recipients.isEmpty else { return complain("no recipients", "name them as arguments, or use -t", usage) }
        var sender: [UInt8]?
        if let wanted = options.sender {
            if wanted.isEmpty || wanted == Array("<>".utf8) {
                sender = []
            } else {
                guard let address = composer.address(wanted) else { return complain("\(wanted.display) is no mail address", "write user@domain", noUser) }
                sender = address.wire
            }
        }
        composer.complete(sender: sender, fullName: options.fullName, uid: Identity.userID, now: .now())
        let drop = DropFile(sender: sender, recipients: recipients.map(\.wire), content: composer.bytes)
        guard DropFile(parsing: drop.bytes) != nil else {
            return complain("too many recipients (at most \(DropFile.maximumRecipients))", "send it in parts, or to an alias", usage)
        }
        do throws(DropFailure) { try leave(drop, in: settings.paths.spool / "drop") } catch {
            switch error {
            case .refused(let reason): return complain("\(reason)", "try again later; if it stays so, ask the postmaster", temporary)
            case .inDoubt(let reason):
                return complain(
                    "cannot tell whether the message was taken: \(reason)",
                    "if it is sent again it may come twice; the disk is in trouble: tell the postmaster", temporary)
            }
        }
        return 0
    }

    /// Why a drop was not left.
    enum DropFailure: Error {
        /// Nothing is left behind: the caller may send the message again.
        case refused(KernelError)
        /// It had its name when the disk failed. It was taken back where that went; no sync says so.
        case inDoubt(KernelError)
    }

    /// Writes under one name, syncs, renames to the name that queued looks for, and syncs the file system.
    ///
    /// Until that has succeeded queued does not begin to read it, because the file is locked until all is done.
    static func leave(_ drop: DropFile, in path: Path) throws(DropFailure) {
        Signals.postpone()
        defer { Signals.resume() }
        let file: Descriptor, shown: Path
        do throws(KernelError) {
            // The folder may be written and not read: it is reached by path.
            let name = Hex.text(try Randomness.uint64(), digits: 16) + Hex.text(try Randomness.uint64(), digits: 16)
            shown = path / Path(DropFile.prefix + name)
            file = try write(drop, in: path / Path(DropFile.unfinishedPrefix + name), as: shown)
        } catch { throw .refused(error) }
        do throws(KernelError) { try file.syncFileSystem() } catch {
            if takeBack(shown) { throw .inDoubt(error) }
        }
    }

    /// The file, locked, synced, and renamed; if that fails there is none.
    private static func write(_ drop: DropFile, in hidden: Path, as shown: Path) throws(KernelError) -> Descriptor {
        let file = try Descriptor.create(hidden, mode: 0o644)
        do throws(KernelError) {
            guard try file.tryLock() else { throw KernelError(.lock, code: 11, object: hidden.bytes) }
            // Whatever the caller's umask: queued, which is to read it, is somebody else. Nobody can list this folder.
            try file.setMode(0o644)
            try file.write(drop.bytes)
            try file.sync()
            if Signals.isEnding { throw KernelError(.write, code: 4, object: hidden.bytes) }
            try Descriptor.rename(hidden, to: shown)
        } catch {
            try? Descriptor.unlink(hidden)
            throw error
        }
        return file
    }

    /// False if queued has adopted the drop: then it has synced the message itself.
    static func takeBack(_ drop: Path) -> Bool {
        do throws(KernelError) { try Descriptor.unlink(drop) } catch { return !error.isMissing }
        return true
    }

    private static func complain(_ what: String, _ remedy: String, _ code: Int32) -> Int32 {
        writeToStandardError(Array("sendmail: \(what)\nsendmail: \(remedy)\n".utf8))
        return code
    }
}
