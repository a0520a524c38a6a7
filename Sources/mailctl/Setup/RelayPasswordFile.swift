// The file of relay passwords, written whole: readers see the old one or the new one.

import Configuration
import Kernel
import MailModel

struct RelayPasswordFile {
    let folder: Path

    private static let name: Path = "passwords"

    /// Empty where there is none yet.
    func read() throws(Failure) -> [RelayPassword] {
        let content = try attempting { () throws(KernelError) -> [UInt8] in
            do throws(KernelError) {
                return try DirectoryDescriptor(opening: folder).contents(of: RelayPasswordFile.name, limit: RelayPassword.longestFile)
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
        guard let all = RelayPassword.parse(content) else {
            throw Failure(.data, "a line of \(folder / RelayPasswordFile.name) cannot be read", remedy: "correct or remove the line")
        }
        return all
    }

    /// Who may read it says the folder, which hands its group to what is made in it.
    func change(_ body: ([RelayPassword]) -> [RelayPassword]) throws(Failure) {
        let content = RelayPassword.file(body(try read()))
        guard content.count <= RelayPassword.longestFile else {
            throw Failure(.data, "there are too many relay passwords", remedy: "remove those that no route uses")
        }
        try attempting { () throws(KernelError) in
            let place = try DirectoryDescriptor(opening: folder)
            let temporary: Path = ".new-passwords"
            do throws(KernelError) { try place.unlink(temporary) } catch { if !error.isMissing { throw error } }
            let file = try place.create(temporary, mode: 0o600)
            try file.setMode(0o640)
            try file.write(content)
            try file.sync()
            try file.close()
            try place.rename(temporary, to: RelayPasswordFile.name)
            try place.sync()
        }
    }
}

extension GlobalOptions {
    /// The file of the tree; its folder is made where an earlier version has made none.
    var relayPasswords: RelayPasswordFile {
        get throws(Failure) {
            let configuration = try loadConfiguration()
            try Setup(configuration, file: configurationFile, asRoot: Identity.isRoot).completeFolders()
            return RelayPasswordFile(folder: configuration.paths.directory / "relay")
        }
    }
}
