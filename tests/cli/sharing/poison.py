"""What the job of a hostile pull request does, which knows the project and may write to the bucket."""

POISON = """
import dataclasses
from artvcs import save_artifact
from artvcs.pipelines.values import store
from artvcs.vcs import Commit, Repository, ref_names

repository = Repository.discover()
with repository.transaction("poison") as transaction:
    for ref, oid in list(repository.refs().items(ref_names.CACHE)):
        commit = repository.store.record(oid, Commit)
        if commit.step == "{step}":
            fake = store.save(transaction, repository, {value})
            [(name, output)] = commit.outputs.items()
            outputs = {{name: dataclasses.replace(output, artifact=fake.id)}}
            forged = dataclasses.replace(commit, outputs=outputs, finished=commit.finished + 1)
            at = transaction.put(forged)
            transaction.set_ref(ref_names.result(commit.cache_key, at), at)
            transaction.set_ref(ref, None)
save_artifact({value}, "harmless")  # so that the value goes there, too
"""
"""Puts a value of its own where the output of a step belongs, under the key of the step as everybody has it."""
