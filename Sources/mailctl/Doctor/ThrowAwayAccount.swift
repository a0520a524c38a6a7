// An account that lives as long as one examination. Its mail is the only mailbox that mailctl ever writes to.

import Configuration
import Directory
import DirectoryDatabase
import Kernel
import MailModel
import SpoolFormat

struct ThrowAwayAccount {
    let address: EmailAddress
    let password: String
    /// Where its mail lies.
    let folder: Path

    private static let prefix = Array("martlet-doctor-".utf8)
    /// An examination is over by then: what bears the name and is older was left behind by one that was killed.
    private static let longest: Int64 = 600

    static func make(_ patient: Patient, domain: Domain) throws(Failure) -> ThrowAwayAccount {
        let password = try Password.generate()
        let random = try attempting { () throws(KernelError) in try Randomness.uint64() }
        guard let address = EmailAddress(localPart: prefix + Base32.digits(random, count: 10), domain: domain) else {
            throw Failure(.software, "no address can be made at \(domain)", remedy: "try another domain")
        }
        let folder = try patient.options.withDirectory { (writer) throws(DirectoryError) in
            try writer.addAccount(address, password: .password(Array(password.utf8)))
        }
        return ThrowAwayAccount(address: address, password: password, folder: patient.configuration.paths.store / Path(folder.bytes))
    }

    /// Takes account and mail away; what cannot be removed is said.
    func remove(_ patient: Patient) -> Finding? {
        do throws(Failure) {
            try patient.options.withDirectory { (writer) throws(DirectoryError) in _ = try writer.removeAccount(address) }
        } catch {
            return .problem("round trip", of: "\(address)", "the throw-away account was not removed: \(error.what)", remedy: patient.mailctl("account remove \(address)"))
        }
        // Its sessions may be ending, and make a file meanwhile.
        tellOfMessages(patient)
        for _ in 0..<50 where !FolderTree.remove(folder) { pause(milliseconds: 100) }
        guard FolderTree.remove(folder) else {
            return .warning("round trip", of: "\(folder)", "the throw-away mailbox could not be removed", remedy: "rm -r \(folder)")
        }
        return nil
    }

    /// After a trip that broke a message is left, and goes with the folder: who audits the store must know.
    private func tellOfMessages(_ patient: Patient) {
        let names = [Path("new"), "cur"].flatMap { part in (try? DirectoryDescriptor(opening: folder / part).list().map(\.name)) ?? [] }
        guard !names.isEmpty else { return }
        let lines = names.map { name in
            RecordLine(.delete).adding(.account, "\(address)").adding(.file, Array(name.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ":") }))
                .adding(.reason, "doctor")
        }
        try? AdministratorLog.append(lines, patient.configuration)
    }

    /// Removes those of examinations that were killed.
    static func sweep(_ patient: Patient) {
        guard let directory = try? patient.options.openDirectory(), let accounts = try? directory.accounts() else { return }
        for account in accounts where account.address.localPart.starts(with: prefix) && patient.now.seconds - account.created > longest {
            _ = ThrowAwayAccount(address: account.address, password: "", folder: patient.configuration.paths.store / Path(account.folder.bytes)).remove(patient)
        }
    }
}

enum FolderTree {
    /// Removes a folder and what is beneath it, no link followed; true if nothing is left. A mailbox nests less deep than this.
    static func remove(_ path: Path, depth: Int = 8) -> Bool {
        guard depth > 0, let parent = try? DirectoryDescriptor(opening: path.parent) else { return false }
        let folder: DirectoryDescriptor
        do throws(KernelError) { folder = try parent.openDirectory(path.lastComponent) } catch { return error.isMissing }
        for entry in (try? folder.list()) ?? [] {
            if entry.kind == .directory {
                _ = remove(path / Path(entry.name), depth: depth - 1)
            } else {
                try? folder.unlink(Path(entry.name))
            }
        }
        do throws(KernelError) { try parent.removeDirectory(path.lastComponent) } catch { return error.isMissing }
        return true
    }
}
