// Shards merged into one database.
process PERSEA_MERGE {
    tag "${meta.id}"
    label 'process_medium'

    input:
    tuple val(meta), path(shards)

    output:
    tuple val(meta), path("${prefix}.persea"), emit: database
    path 'versions.yml', emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}.merged"
    """
    persea merge "${prefix}.persea" ${shards} --threads ${task.cpus} ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        persea: \$(persea --version | sed 's/persea //')
    END_VERSIONS
    """
}
