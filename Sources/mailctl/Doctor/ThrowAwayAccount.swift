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
    /// Where its mail lies, below the store.
    let folder: Path

    private static let prefix = Array("martlet-doctor-".utf8)
    private static let digits = 10
    /// An examination is over by then: what bears the name and is older was left behind by one that was killed.
    private static let longest: Int64 = 600

    /// Nobody else's account is called so.
    private static func isName(_ name: some Collection<UInt8>) -> Bool {
        name.count == prefix.count + digits && name.starts(with: prefix) && Base32.value(name.dropFirst(prefix.count)) != nil
    }

    static func make(_ patient: Patient, domain: Domain) throws(Failure) -> ThrowAwayAccount {
        let password = try Password.generate()
        let random = try attempting { () throws(KernelError) in try Randomness.uint64() }
        guard let address = EmailAddress(localPart: prefix + Base32.digits(random, count: digits), domain: domain) else {
            throw Failure(.software, "no address can be made at \(domain)", remedy: "try another domain")
        }
        let folder = try patient.options.withDirectory { (writer) throws(DirectoryError) in
            try writer.addAccount(address, password: .password(Array(password.utf8)))
        }
        return ThrowAwayAccount(address: address, password: password, folder: Path(folder.bytes))
    }

    /// Takes the account away, and its mail if none is under way to it; what cannot be removed is said.
    func remove(_ patient: Patient, mailIsUnderWay: Bool) -> Finding? {
        do throws(Failure) {
            try patient.options.withDirectory { (writer) throws(DirectoryError) in _ = try writer.removeAccount(address) }
        } catch {
            return .problem("round trip", of: "\(address)", "the throw-away account was not removed: \(error.what)", remedy: patient.mailctl("account remove \(address)"))
        }
        let place = patient.configuration.paths.store / folder
        guard !mailIsUnderWay else {
            return .warning("round trip", of: "\(place)", "stays until the message has come", remedy: patient.mailctl("doctor") + ", ten minutes from now, removes it")
        }
        tellOfMessages(patient)
        guard ThrowAwayAccount.removeFolder(folder, patient) else {
            return .warning("round trip", of: "\(place)", "the throw-away mailbox could not be removed", remedy: "rm -r \(place)")
        }
        return nil
    }

    /// Its sessions may be ending, and make a file meanwhile.
    private static func removeFolder(_ folder: Path, _ patient: Patient) -> Bool {
        for _ in 0..<50 {
            do throws(KernelError) {
                // By names below the store, so that whoever may write there cannot lead this elsewhere.
                try DirectoryDescriptor(opening: patient.configuration.paths.store).openDirectory(folder.parent).removeTree(folder.lastComponent, depth: 8)
                return true
            } catch { if error.isMissing { return true } }
            pause(milliseconds: 100)
        }
        return false
    }

    /// After a trip that broke a message is left, and goes with the folder: who audits the store must know.
    private func tellOfMessages(_ patient: Patient) {
        guard let store = try? DirectoryDescriptor(opening: patient.configuration.paths.store) else { return }
        let names = ["new", "cur"].flatMap { part in (try? store.openDirectory(folder / Path(part)).list().map(\.name)) ?? [] }
        // One message was sent. Whoever made more there is not believed.
        guard !names.isEmpty, names.count <= 2 else { return }
        let lines = names.map { name in
            RecordLine(.delete).adding(.account, "\(address)").adding(.file, Array(name.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ":") }))
                .adding(.reason, "doctor")
        }
        try? AdministratorLog.append(lines, patient.configuration)
    }

    /// Removes accounts and mailboxes of examinations that were killed.
    static func sweep(_ patient: Patient) {
        guard let directory = try? patient.options.openDirectory(), let accounts = try? directory.accounts(), let domains = try? directory.domains() else { return }
        for account in accounts where isName(account.address.localPart) && patient.now.seconds - account.created > longest {
            _ = ThrowAwayAccount(address: account.address, password: "", folder: Path(account.folder.bytes)).remove(patient, mailIsUnderWay: false)
        }
        guard let store = try? DirectoryDescriptor(opening: patient.configuration.paths.store) else { return }
        for domain in domains.map({ Path($0.domain.bytes) }) {
            guard let folder = try? store.openDirectory(domain), let entries = try? folder.list() else { continue }
            for entry in entries where isName(entry.name) && !accounts.contains(where: { $0.folder.bytes == (domain / Path(entry.name)).bytes }) {
                guard let status = try? folder.status(of: Path(entry.name)), patient.now.seconds - status.modified / 1_000_000_000 > longest else { continue }
                _ = removeFolder(domain / Path(entry.name), patient)
            }
        }
    }
}
